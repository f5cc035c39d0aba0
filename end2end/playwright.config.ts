import { defineConfig } from '@playwright/test';
import { join } from 'node:path';

// Chromium comes from the machine (`cargo xtask test` finds or installs it) and sees
// only the fonts in `FONTS`; Playwright never downloads one. Each test starts its own server.
const launch = (fonts: 'wide' | 'narrow') => ({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  env: {
    ...(process.env as Record<string, string>),
    ...(process.env.FONTS && { FONTCONFIG_FILE: join(process.env.FONTS, `${fonts}.conf`) }),
  },
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-proxy-server',
  ],
});

export default defineConfig({
  testDir: 'tests',
  outputDir: 'results',
  reporter: 'list',
  workers: 2,
  retries: 0,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 30_000 },
  use: {
    browserName: 'chromium',
    headless: true,
    screenshot: 'only-on-failure',
    trace: 'off',
    locale: 'en-US',
    timezoneId: 'UTC',
    launchOptions: launch('wide'),
  },
  projects: [
    { name: 'js', testIgnore: /\.nojs\.spec\.ts$/ },
    { name: 'narrow', testMatch: 'layout.spec.ts', use: { launchOptions: launch('narrow') } },
    { name: 'no-js', testMatch: /\.nojs\.spec\.ts$/, use: { javaScriptEnabled: false } },
  ],
});
