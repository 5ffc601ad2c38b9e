import type { Duplex } from 'node:stream';
import { now, random, RtmpServer } from '../../src/endpoint/index.ts';
import { TransportError } from '../../src/errors.ts';
import { Hub, streamName, type HubOptions, type Publication, type StreamName } from '../../src/hub/index.ts';
import type { Frame } from '../../src/media/index.ts';
import { BACK_OFF_DEFAULTS, Relays, type RelayLink, type RelayOptions, type RelayRule } from '../../src/relay/index.ts';
import { nextPeerId } from '../../src/transport/index.ts';
import { memoryPair } from './memory-link.ts';
import { recordingLog, type LogLine } from './recording-log.ts';

/** Waits of a few milliseconds in the place of seconds. */
export const QUICK = Object.freeze({
  ...BACK_OFF_DEFAULTS,
  firstRetryMs: 5,
  maxRetryMs: 20,
  firstRefusedMs: 60_000,
});

/** Whoever can be reached. */
export interface Shore {
  readonly isDown: boolean;
  arrive(): Duplex;
  stop(): Promise<unknown>;
}

/** All islands and other servers of a test, by the host names under which relays find them. */
export const sea = new Map<string, Shore>();

/** Lets others reach a server as `name`. */
export function shore<T extends Shore>(name: string, made: T): T {
  sea.set(name, made);
  return made;
}

/** Makes an island that others can reach as `name`. */
export function island(
  name: string,
  rules: readonly RelayRule[] = [],
  options: Partial<RelayOptions> = {},
  hub: Partial<HubOptions> = {},
): Island {
  const made = new Island(name, rules, options, hub);
  sea.set(name, made);
  return made;
}

/** After each test. */
export async function drainSea(): Promise<void> {
  await Promise.all([...sea.values()].map((each) => each.stop()));
  sea.clear();
}

/** What an island's rule has made. */
export function links({ relays }: Island, rule = 0): readonly RelayLink[] {
  return relays.list()[rule]!.links;
}

/** A gateway without doors: its hub, its core, its relays. */
export class Island {
  readonly hub: Hub;
  readonly server: RtmpServer;
  readonly relays: Relays;
  readonly lines: LogLine[];
  /** Both ends of each connection that came in: ours last. */
  readonly arrivals: (readonly [theirs: Duplex, ours: Duplex])[] = [];
  isDown = false;
  /** Takes no more than connections that say nothing. */
  isMute = false;

  constructor(name: string, rules: readonly RelayRule[], options: Partial<RelayOptions>, hub: Partial<HubOptions>) {
    const { log, lines } = recordingLog();
    this.lines = lines;
    this.hub = new Hub(hub);
    this.server = new RtmpServer(this.hub, { session: { random }, gatewayId: name }, log);
    const dialTo = () => (target: { readonly dial: string }) => async (): Promise<Duplex> => {
      const island = sea.get(new URL(target.dial).hostname);
      if (island === undefined || island.isDown) throw new TransportError('CONNECT_FAILED', 'nobody is there');
      return island.arrive();
    };
    this.relays = new Relays(rules, { hub: this.hub, log, gatewayId: name, dialTo }, { backOff: QUICK, ...options });
    this.relays.start();
  }

  arrive(): Duplex {
    const [theirs, ours] = memoryPair();
    this.arrivals.push([theirs, ours]);
    if (!this.isMute) {
      const peer = { scheme: 'rtmp', secure: false, address: '192.0.2.1', port: 1, id: nextPeerId() } as const;
      this.server.handle(ours, peer);
    }
    return theirs;
  }

  /** Breaks every connection that came in. */
  breakAll(): void {
    for (const [theirs, ours] of this.arrivals.splice(0)) {
      ours.destroy();
      theirs.destroy();
    }
  }

  publish(path: string): Feed {
    return new Feed(this.hub, nameOf(path));
  }

  watch(path: string): Viewer {
    return new Viewer(this.hub, nameOf(path));
  }

  publishing(path: string): boolean {
    return [...this.hub.streams()].some(({ name, publishing }) => `${name.app}/${name.key}` === path && publishing);
  }

  async stop(): Promise<void> {
    await this.relays.stop();
    this.relays.destroy();
    this.server.destroy();
    this.hub.stop();
  }
}

/** Whoever publishes. */
export class Feed {
  readonly ended: string[] = [];
  readonly #publication: Publication;

  constructor(hub: Hub, name: StreamName) {
    this.#publication = hub.publish(name, { end: (reason) => void this.ended.push(reason) }, now());
  }

  send(...frames: Frame[]): void {
    for (const frame of frames) this.#publication.write(frame, now());
  }

  end(): void {
    this.#publication.end(now());
  }
}

/** Whoever plays, and stays until told to leave. */
export class Viewer {
  readonly frames: Frame[] = [];
  readonly news: string[] = [];
  readonly #leave: () => void;

  constructor(hub: Hub, name: StreamName) {
    const subscription = hub.subscribe(name, {
      deliver: (frame) => void this.frames.push(frame),
      published: () => void this.news.push('published'),
      unpublished: () => void this.news.push('unpublished'),
    });
    this.#leave = () => subscription.end();
  }

  leave(): void {
    this.#leave();
  }

  /** "key@40", "audio@60", "video:0:header@0" */
  get words(): string[] {
    return this.frames.map(
      (frame) => `${frame.configKey ?? (frame.isKeyframe ? 'key' : frame.kind)}@${frame.timestamp}`,
    );
  }
}

function nameOf(path: string): StreamName {
  const slash = path.indexOf('/');
  return streamName(path.slice(0, slash), path.slice(slash + 1));
}
