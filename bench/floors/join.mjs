import net from 'node:net';

/** Brings a client to a server on this machine. */
export function join(client, port) {
  const server = net.connect({ port, host: '127.0.0.1', noDelay: true });
  client.setNoDelay(true);
  client.pipe(server).pipe(client);
  const end = () => {
    client.destroy();
    server.destroy();
  };
  for (const socket of [client, server]) socket.on('error', end).on('close', end);
}
