import { loadConfig } from '../../src/config/index.ts';
import { Gateway } from '../../src/gateway.ts';
import { createLog } from '../../src/log.ts';

/** Run as `node --import tsx gateway-child.ts CONFIG`: a gateway to be killed; logs in JSON, the ready line with its ports. */
async function main(file: string): Promise<void> {
  const { config } = loadConfig({ file, env: {}, terminal: false });
  const log = createLog({ level: 'info', format: 'json' });
  const gateway = new Gateway(config, log);
  const ports = (await gateway.start()).map(({ port }) => port);
  log.info({ event: 'ready', ports }, 'ready');
  process.once('SIGTERM', () => void gateway.stop().then(() => process.exit(0)));
}

await main(process.argv[2] ?? '');
