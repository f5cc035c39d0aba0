// WebKitGTK by plain WebDriver (W3C): Playwright drives only a WebKit of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';

/** How WebDriver names an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** Keys that WebDriver writes as private characters. */
export const keys = { enter: '\uE007', escape: '\uE00C', left: '\uE012', right: '\uE014', delete: '\uE017' };

export class WebKit {
  private session = '';

  private constructor(
    private readonly folder: string,
    private readonly driver: string,
    private readonly programs: ChildProcess[],
  ) {}

  /** A browser on a screen of its own. */
  static async open(): Promise<WebKit> {
    const folder = await mkdtemp(join(tmpdir(), 'atelier-webkit-'));
    const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    const [number] = await once(screen.stdio[3]!, 'data');
    const port = await freePort();
    const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
      stdio: 'ignore',
      env: {
        ...process.env,
        HOME: folder,
        XDG_RUNTIME_DIR: folder,
        DISPLAY: `:${String(number).trim()}`,
        LIBGL_ALWAYS_SOFTWARE: '1',
        // The sandbox needs rights that containers do not give.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        ...(process.env.FONTS && { FONTCONFIG_FILE: join(process.env.FONTS, 'wide.conf') }),
      },
    });
    const browser = new WebKit(folder, `http://127.0.0.1:${port}`, [driver, screen]);
    await expect.poll(() => browser.ready()).toBe(true);
    const { sessionId } = await browser.send('POST', '/session', {
      capabilities: { alwaysMatch: { unhandledPromptBehavior: 'ignore' } },
    });
    browser.session = `/session/${sessionId}`;
    return browser;
  }

  async close(): Promise<void> {
    if (this.session) await this.send('DELETE', this.session);
    for (const program of this.programs) {
      const exit = once(program, 'exit');
      if (program.kill()) await exit;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Opens a page and waits until its islands are awake. */
  async visit(address: string): Promise<void> {
    await this.send('POST', `${this.session}/url`, { url: address });
    await this.awake();
  }

  async awake(): Promise<void> {
    const asleep = '[...document.querySelectorAll("leptos-island")].filter((each) => !each.awake).length';
    await this.until(`document.readyState === "complete" && ${asleep} === 0`);
  }

  async back(): Promise<void> {
    await this.send('POST', `${this.session}/back`, {});
  }

  /** The value of an expression in the page. */
  async value(expression: string): Promise<unknown> {
    return this.send('POST', `${this.session}/execute/sync`, { script: `return ${expression}`, args: [] });
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    const value = () => this.value(expression).catch(() => false);
    await expect.poll(value, { message: expression }).toBe(true);
  }

  /** Waits until there is a picture and it is decoded. */
  async untilShown(selector: string): Promise<void> {
    await this.until(`(document.querySelector(${JSON.stringify(selector)})?.naturalWidth ?? 0) > 0`);
  }

  /** Clicks as a person would: what lies above is hit instead, and is reported. */
  async click(selector: string): Promise<void> {
    const element = await this.find(selector);
    await this.send('POST', `${this.session}/element/${element}/click`, {});
  }

  /** Writes into a field, presses keys on it, or gives it the file of a path. */
  async type(selector: string, text: string): Promise<void> {
    const element = await this.find(selector);
    await this.send('POST', `${this.session}/element/${element}/value`, { text });
  }

  /** Agrees to what the page asks. */
  async agree(): Promise<void> {
    await expect(async () => void (await this.send('POST', `${this.session}/alert/accept`, {}))).toPass();
  }

  private async find(selector: string): Promise<string> {
    await this.until(`!!document.querySelector(${JSON.stringify(selector)})`);
    const found = await this.send('POST', `${this.session}/element`, { using: 'css selector', value: selector });
    return found[ELEMENT]!;
  }

  private async ready(): Promise<boolean> {
    const status = await this.send('GET', '/status').catch(() => undefined);
    return Boolean(status?.ready);
  }

  private async send(method: string, path: string, body?: object): Promise<Record<string, string>> {
    const response = await fetch(this.driver + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = (await response.json()) as { value: Record<string, string> };
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
