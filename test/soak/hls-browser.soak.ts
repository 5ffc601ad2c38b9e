import { testInChromium } from '../support/chromium-watch.ts';

testInChromium({ watchSeconds: 120, publishers: 10, markSeconds: 30, thorough: true });
