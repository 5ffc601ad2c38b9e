// The least that Node can do to carry TCP: two sockets and `pipe`.
import net from 'node:net';
import { join } from './join.mjs';

const [port, upstream] = process.argv.slice(2);
net.createServer((client) => join(client, Number(upstream))).listen(Number(port), '127.0.0.1');
