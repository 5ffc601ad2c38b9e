import type { Message } from './message.ts';
import type { PlayRequest, PublishRequest } from './server-events.ts';

export type StreamPhase = 'idle' | 'askedToPublish' | 'askedToPlay' | 'publishing' | 'playing' | 'deleted';

/** A NetStream as the server sees it. Its phase is changed by the session alone. */
export class NetStream {
  readonly id: number;
  phase: StreamPhase = 'idle';
  /** Of what is, or is asked to be, published or played. */
  name = '';
  request: PublishRequest | PlayRequest | undefined;
  /** Publishing: media must have come by then. */
  mediaDueAt: number | undefined;
  /** Kinds of media that the client does not want (receiveAudio, receiveVideo); may be said before it plays. */
  readonly muted = new Set<'audio' | 'video'>();
  #held: Message[] = [];

  constructor(id: number) {
    this.id = id;
  }

  /** Keeps media that came while publishing is still to be allowed. */
  hold(message: Message): void {
    this.#held.push(message);
  }

  takeHeld(): Message[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** FCUnpublish names what it ends; some clients leave the query out there. */
  isNamed(name: string): boolean {
    return this.name === name || this.name.split('?')[0] === name.split('?')[0];
  }
}
