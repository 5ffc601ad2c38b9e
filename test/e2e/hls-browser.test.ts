import { testInChromium } from '../support/chromium-watch.ts';

// Two minutes and ten publishers: `npm run soak`.
testInChromium({ watchSeconds: 8, publishers: 3, markSeconds: 5, thorough: false });
