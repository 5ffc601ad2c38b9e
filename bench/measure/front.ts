import { gateway, nginx, type Contender, type Entry } from './contender.ts';

/** The RTMP server behind every front: nginx where it is installed, or else a gateway with its built-in core. */
export function backServer(): Entry {
  const server = nginx();
  return server.missing === undefined ? server : gateway('gateway behind');
}

/** `front` with a server of its own behind it. What is measured is the front alone. */
export function inFront(front: Entry, behind = backServer()): Entry {
  const missing = front.missing ?? behind.missing;
  return {
    name: front.name,
    ...(missing !== undefined && { missing }),
    start: async () => {
      const server = await behind.start();
      try {
        const contender = await front.start(server.rtmp);
        return { ...contender, publish: server.rtmp, stop: () => stopBoth(contender, server) };
      } catch (fault) {
        await server.stop();
        throw fault;
      }
    },
  };
}

async function stopBoth(front: Contender, server: Contender): Promise<void> {
  await front.stop();
  await server.stop();
}
