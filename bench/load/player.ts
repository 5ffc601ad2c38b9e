import type { MessageSeen } from './chunks.ts';
import { nowMicros } from './clock.ts';
import { RtmpClient, type Wish } from './rtmp-client.ts';
import { StampCheck, type Tally } from './tally.ts';

/** Plays one stream and looks at each stamp. */
export class Player {
  /** When the first stamped message was complete. */
  firstMediaAt = 0;
  readonly client: RtmpClient;
  readonly #check: StampCheck;
  readonly #joined: () => void;

  constructor(wish: Wish, tally: Tally, joined: () => void) {
    this.#check = new StampCheck(tally);
    this.#joined = joined;
    this.client = new RtmpClient(wish, {
      ready: () => {},
      media: (message) => this.#media(message),
      lost: (reason) => {
        tally.disconnected += 1;
        tally.reasons.add(reason);
      },
    });
  }

  #media(message: MessageSeen): void {
    const now = nowMicros();
    if (!this.#check.take(message, now) || this.firstMediaAt > 0) return;
    this.firstMediaAt = now;
    this.#joined();
  }
}
