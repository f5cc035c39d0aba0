// The binary under measurement, as a process of its own, and pictures in it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUBJECTS = ['a red boat', 'a fox', 'two cats', 'a lighthouse', 'a windmill', 'mountains'];
const SCENES = ['on a calm sea', 'in the snow', 'at sunset', 'in the fog'];

export class Studio {
  prompts = 0;

  static async open() {
    const binary = process.env.ATELIER_BIN;
    if (!binary) throw new Error('ATELIER_BIN names the binary to measure');
    const studio = new Studio();
    studio.folder = await mkdtemp(join(tmpdir(), 'atelier-'));
    const config = join(studio.folder, 'atelier.toml');
    await writeFile(config, 'limits = []\n');
    studio.process = spawn(binary, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        NO_COLOR: '1',
        ATELIER_LISTEN: '127.0.0.1:0',
        ATELIER_PROVIDER: 'local',
        ATELIER_DATA: join(studio.folder, 'data'),
        ATELIER_CONFIG: config,
      },
    });
    studio.url = await address(studio.process);
    return studio;
  }

  async close() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const exit = once(this.process, 'exit');
      this.process.kill();
      await exit;
    }
    await rm(this.folder, { recursive: true });
  }

  /** A new visitor's session, as the header `Cookie`. */
  async visitor() {
    const answer = await fetch(this.url);
    return answer.headers.get('set-cookie').split(';')[0];
  }

  /**
   * Has so many jobs done, with a picture each; returns one of them. Copies asked for while the first is being
   * painted are jobs of their own; asked for later, they would be the job that there is.
   */
  async paint(cookie, count, copies = 1) {
    const jobs = new Map();
    while (jobs.size < count) {
      const prompt = this.nextPrompt();
      const same = Array.from({ length: Math.min(copies, count - jobs.size) }, () => this.paintOne(cookie, prompt));
      for (const job of await Promise.all(same)) jobs.set(job.id, job);
    }
    return jobs.values().next().value;
  }

  nextPrompt() {
    const number = this.prompts++;
    const subject = SUBJECTS[number % SUBJECTS.length];
    const scene = SCENES[Math.floor(number / SUBJECTS.length) % SCENES.length];
    return `${subject} ${scene}, study ${number}`;
  }

  async paintOne(cookie, prompt) {
    let job = await this.ask(cookie, '/api/images', JSON.stringify({ prompt, size: '1024x1024' }));
    while (job.status !== 'succeeded') {
      if (['failed', 'cancelled'].includes(job.status)) throw new Error(`a picture ${job.status}`);
      job = await this.ask(cookie, `/api/jobs/${job.id}?after=${job.version}&wait=25`);
    }
    return job;
  }

  async ask(cookie, path, body) {
    const headers = { cookie, 'content-type': 'application/json' };
    const answer = await fetch(this.url + path, { method: body ? 'POST' : 'GET', headers, body });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }
}

/** Where it serves, once it does. */
function address(child) {
  let log = '';
  return new Promise((serving, failed) => {
    child.on('error', failed);
    child.on('exit', (code) => failed(new Error(`the studio ended with ${code}:\n${log}`)));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      log = (log + text).slice(-10_000);
      const address = /serving at (http:\S+)\/\n/.exec(log)?.[1];
      if (address) serving(address);
    });
  });
}
