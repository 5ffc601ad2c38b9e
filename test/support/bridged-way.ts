import { NO_LOG } from '../../src/log.ts';
import { Bridge, type BridgeOptions, type Handler } from '../../src/transport/index.ts';
import type { Way } from '../conformance/transport.ts';
import { openDirectWay } from './door-way.ts';

/** A way that leads through a bridge: what `front` opens for it, and from there a plain connection to `handler`. */
export async function openBridgedWay(
  front: (handler: Handler) => Promise<Way>,
  handler: Handler,
  back: 'rtmp' | 'rtmps' = 'rtmp',
  options: Partial<BridgeOptions> = {},
): Promise<Way & { readonly bridge: Bridge }> {
  const upstream = await openDirectWay(back, handler);
  const whenDown: Handler = (stream) => void stream.destroy();
  const bridge = new Bridge({ dial: upstream.dial, whenDown, log: NO_LOG }, options);
  const way = await front(bridge.handle);
  const close = async (): Promise<void> => {
    bridge.destroy();
    await way.close();
    await upstream.close();
  };
  return { dial: way.dial, close, bridge };
}
