export type StreamPhase = 'idle' | 'askedToPublish' | 'askedToPlay' | 'publishing' | 'playing' | 'deleted';

/** A NetStream as the server sees it. Its phase is changed by the session alone. */
export class NetStream {
  readonly id: number;
  phase: StreamPhase = 'idle';
  /** Of what is published. */
  name = '';
  /** Publishing: media must have come by then. */
  mediaDueAt: number | undefined;
  /** How much the client means to buffer (SetBufferLength); may be said before it plays. */
  bufferMs: number | undefined;
  /** Kinds of media that the client does not want (receiveAudio, receiveVideo); may be said before it plays. */
  readonly muted = new Set<'audio' | 'video'>();

  constructor(id: number) {
    this.id = id;
  }

  /** FCUnpublish names what it ends; some clients leave the query out there. */
  isNamed(name: string): boolean {
    return this.name === name || this.name.split('?')[0] === name.split('?')[0];
  }
}
