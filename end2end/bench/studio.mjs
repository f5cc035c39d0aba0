// The binary under measurement, as a process of its own, and pictures in it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Different pictures; what is asked for beyond them comes from the cache, as a job of its own. */
const DIFFERENT = 24;
const AT_A_TIME = 4;

export class Studio {
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

  /** Has so many pictures painted, one a job; returns the last job. */
  async paint(cookie, count) {
    let next = 0;
    let job;
    const work = async () => {
      while (next < count) job = await this.paintOne(cookie, `a boat on the sea, study ${next++ % DIFFERENT}`);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return job;
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
