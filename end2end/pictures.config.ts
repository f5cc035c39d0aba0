import { defineConfig } from '@playwright/test';
import base from './playwright.config';

// `npm run pictures`: the share picture, the icons, and the pictures of the documentation.
export default defineConfig({
  ...base,
  testMatch: 'pictures.ts',
  // Pages are composed here that are not the studio's.
  projects: [{ name: 'pictures', use: { viewport: { width: 1280, height: 900 }, bypassCSP: true } }],
});
