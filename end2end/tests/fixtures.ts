// A server of its own for each test, a stand-in for the paid API, and a page
// on which every complaint of the browser is a failure.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Page, test as base, expect } from '@playwright/test';

export { expect };

/** How a server is to be started. */
export interface Setup {
  /** The configuration file; without it there are no limits. */
  file?: string;
  environment?: Record<string, string>;
}

export interface Studio {
  url: string;
  stop(): void;
}

async function startStudio(folder: string, { file = 'limits = []', environment = {} }: Setup) {
  const config = join(folder, 'atelier.toml');
  writeFileSync(config, file);
  const binary = process.env.ATELIER_BIN ?? '../target/debug/atelier';
  const env = {
    ATELIER_CONFIG: config,
    ATELIER_DATA: join(folder, 'data'),
    ATELIER_LISTEN: '127.0.0.1:0',
    ...environment,
  };
  const child: ChildProcess = spawn(binary, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const log: string[] = [];
  for await (const line of createInterface({ input: child.stderr! })) {
    log.push(line);
    const url = /serving at (\S+?)\/?$/.exec(line)?.[1];
    if (url) {
      child.stderr!.resume();
      return { url, stop: () => child.kill('SIGKILL') };
    }
  }
  throw new Error(`the server did not start: ${log.join('\n')}`);
}

/** What the stand-in for the images API does with a call. */
export type Answer = 'hang' | { status: number; code: string };

export interface Provider {
  environment: Record<string, string>;
  script: Answer[];
}

/** Answers each call by its script; fails on what the real one would refuse. */
async function startProvider(): Promise<{ provider: Provider; server: Server }> {
  const script: Answer[] = [];
  const server = createServer((request, response) => {
    request.resume();
    const known = request.method === 'POST' && request.url?.startsWith('/v1/images/');
    if (!known || request.headers.authorization !== 'Bearer sk-test') {
      return refuse(response, 404, 'unknown_url');
    }
    const answer = script.shift() ?? { status: 500, code: 'end_of_script' };
    if (answer !== 'hang') refuse(response, answer.status, answer.code);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const environment = {
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
  };
  return { provider: { environment, script }, server };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message: 'no', type: 'invalid_request_error', code } }));
}

/** Complaints that a test may expect: Chromium reports every refused request. */
const EXPECTED = /^Failed to load resource/;

interface Fixtures {
  provider: Provider;
  /** Starts a server; most tests want `studio`. */
  start(setup: Setup): Promise<Studio>;
  studio: Studio;
}

export const test = base.extend<Fixtures>({
  page: async ({ page }, use) => {
    const complaints: string[] = [];
    page.on('console', message => {
      const serious = message.type() === 'error' || message.type() === 'warning';
      if (serious && !EXPECTED.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(String(error)));
    await use(page);
    expect(complaints, 'the console is silent').toEqual([]);
  },
  provider: async ({}, use) => {
    const { provider, server } = await startProvider();
    await use(provider);
    server.closeAllConnections();
    server.close();
  },
  start: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'atelier-'));
    const started: Studio[] = [];
    await use(async setup => {
      const studio = await startStudio(folder, setup);
      started.push(studio);
      return studio;
    });
    for (const studio of started) studio.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  },
  studio: async ({ start }, use) => use(await start({})),
});

/** The card of the newest job. */
export const card = (page: Page) => page.locator('.job').first();

/** Fills in the form for pictures and sends it. */
export async function paint(page: Page, prompt: string): Promise<void> {
  await page.getByLabel('The picture in words').fill(prompt);
  await page.getByRole('button', { name: 'Paint it' }).click();
}

/** Waits until a picture is there and really drawn. */
export async function expectPicture(page: Page, alt: string): Promise<void> {
  const picture = page.locator('.job').getByAltText(alt, { exact: true }).first();
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate(img => (img as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
}

/** A little photo, as a 24-bit BMP made by hand. */
export function photo(width = 120, height = 80) {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + stride * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      bytes.set([90 + y, 110 + (x >> 1), 130 + ((x + y) >> 2)], 54 + y * stride + x * 3);
    }
  }
  return { name: 'grandmother.bmp', mimeType: 'image/bmp', buffer: bytes };
}
