// The binary under test, as a process of its own with a data folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What suits every test: nothing waits for long, neither a retry nor the end. */
const QUEUE = '[queue]\nlease = "1500ms"\nretry_base = "100ms"\ngrace = "100ms"\n';

export class Studio {
  /** Everything that the studio has logged. */
  log = '';
  url = '';
  private process?: ChildProcess;

  private constructor(
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  /** A studio with these limits, as TOML. */
  static async open(limits: string, environment: Record<string, string>): Promise<Studio> {
    const studio = new Studio(await mkdtemp(join(tmpdir(), 'atelier-')), environment);
    await writeFile(join(studio.folder, 'atelier.toml'), `${limits}\n${QUEUE}`);
    await studio.start();
    return studio;
  }

  /** Starts, again at the same address if it had one; returns once it serves. */
  async start(): Promise<void> {
    const binary = process.env.ATELIER_BIN;
    if (!binary) throw new Error('ATELIER_BIN names the binary to test');
    const child = spawn(binary, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        NO_COLOR: '1',
        ATELIER_LISTEN: this.url ? new URL(this.url).host : '127.0.0.1:0',
        ATELIER_DATA: join(this.folder, 'data'),
        ATELIER_CONFIG: join(this.folder, 'atelier.toml'),
        ...this.environment,
      },
    });
    this.process = child;
    const logged = this.log.length;
    await new Promise<void>((serving, failed) => {
      child.on('error', failed);
      child.on('exit', (code) => failed(new Error(`the studio ended with ${code}:\n${this.log}`)));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
        const address = /serving at (http:\S+)\n/.exec(this.log.slice(logged))?.[1];
        if (!address) return;
        this.url = address;
        serving();
      });
    });
  }

  /** Asks the process to end, or ends it without asking, and waits until it has. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }
}
