// The least that Node's own HTTP server can do for a poll: take the body, answer one byte.
import { createServer } from 'node:http';
import { head, ID, POLLING_BYTE } from './answer.mjs';

const server = createServer((request, response) => {
  const body = request.url === '/open/1' ? ID : POLLING_BYTE;
  request.resume();
  request.on('end', () => {
    response.sendDate = false;
    response.writeHead(200, head(body));
    response.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), '127.0.0.1');
