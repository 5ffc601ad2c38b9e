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
  readonly #moved: () => void;

  /** `joined`: the first picture is here; `moved`: one more is. */
  constructor(wish: Wish, tally: Tally, joined: () => void, moved: () => void = () => {}) {
    this.#check = new StampCheck(tally);
    this.#joined = joined;
    this.#moved = moved;
    this.client = new RtmpClient(wish, {
      ready: () => {},
      media: (message) => this.#media(message),
      lost: (reason) => {
        tally.disconnected += 1;
        tally.reasons.add(reason);
      },
    });
  }

  /** The number of the picture that comes next, -1 before the first. */
  get expected(): number {
    return this.#check.expected;
  }

  #media(message: MessageSeen): void {
    const now = nowMicros();
    if (!this.#check.take(message, now)) return;
    this.#moved();
    if (this.firstMediaAt > 0) return;
    this.firstMediaAt = now;
    this.#joined();
  }
}
