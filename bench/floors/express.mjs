// The same answer from an Express route.
import express from 'express';
import { head, ID, POLLING_BYTE } from './answer.mjs';

const app = express();
app.disable('x-powered-by');
const answer = (body) => (request, response) => {
  request.resume();
  request.on('end', () => {
    response.sendDate = false;
    response.writeHead(200, head(body));
    response.end(body);
  });
};
app.post('/open/:number', answer(ID));
app.post('/idle/:id/:number', answer(POLLING_BYTE));
app.post('/close/:id/:number', answer(POLLING_BYTE));
const server = app.listen(Number(process.argv[2]), '127.0.0.1');
server.keepAliveTimeout = 60_000;
