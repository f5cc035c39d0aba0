import { defineConfig } from '@playwright/test';
import base from './playwright.config';

// `npm run screenshots`: every page in every state, to be looked at.
const screens = {
  wide: { viewport: { width: 1440, height: 900 } },
  desktop: { viewport: { width: 1280, height: 900 } },
  small: { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

export default defineConfig({
  ...base,
  testMatch: 'screenshots.ts',
  projects: Object.entries(screens).flatMap(([screen, use]) =>
    (['light', 'dark'] as const).map((colorScheme) => ({
      name: `${screen}-${colorScheme}`,
      use: { ...use, colorScheme },
    })),
  ),
});
