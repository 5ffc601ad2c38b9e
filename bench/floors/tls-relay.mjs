// The same behind TLS. A client that says nothing is not dialled for, as in the gateway.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { join } from './join.mjs';

const [port, upstream, cert, key] = process.argv.slice(2);
const pair = { cert: readFileSync(cert), key: readFileSync(key) };
tls
  .createServer(pair, (client) => {
    client.on('error', () => client.destroy());
    client.once('readable', () => (client.readableLength > 0 ? join(client, Number(upstream)) : client.destroy()));
  })
  .listen(Number(port), '127.0.0.1');
