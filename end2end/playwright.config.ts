import { defineConfig } from '@playwright/test';
import { join } from 'node:path';

// Chromium and Firefox come from the machine (`cargo xtask test` finds or installs them) and see
// only the fonts in `FONTS`; Playwright never downloads one. Each test starts its own server.
const environment = (fonts: 'wide' | 'narrow') => ({
  ...(process.env as Record<string, string>),
  ...(process.env.FONTS && { FONTCONFIG_FILE: join(process.env.FONTS, `${fonts}.conf`) }),
});

const launch = (fonts: 'wide' | 'narrow') => ({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  env: environment(fonts),
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

// As it comes from its maker, by WebDriver BiDi. Without a screen it would say that nothing can hover.
const firefox = {
  executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
  env: environment('wide'),
  firefoxUserPrefs: { 'ui.primaryPointerCapabilities': 6, 'ui.allPointerCapabilities': 6 },
};

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
    { name: 'firefox', testMatch: 'engines.spec.ts', use: { browserName: 'firefox', channel: 'moz-firefox', launchOptions: firefox } },
    { name: 'narrow', testMatch: 'layout.spec.ts', use: { launchOptions: launch('narrow') } },
    { name: 'no-js', testMatch: /\.nojs\.spec\.ts$/, use: { javaScriptEnabled: false } },
  ],
});
