import { createServer, type IncomingMessage, request as startRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll } from 'vitest';

export interface FakeProxy {
  readonly host: string;
  /** What it was asked for: `GET http://…` to forward, `CONNECT host:port` for a tunnel. */
  readonly asked: string[];
  /** What requests to it must have as `Proxy-Authorization`. */
  wants: string | undefined;
  /** Refuses all with this status. */
  refuses: number | undefined;
  /** Where every tunnel leads, whatever host it is asked for. */
  tunnelsTo: number;
}

const open: (() => void)[] = [];
afterAll(() => {
  for (const close of open.splice(0)) close();
});

/** A proxy that forwards plain HTTP and opens tunnels. */
export async function startProxy(): Promise<FakeProxy> {
  const refusal = ({ headers }: IncomingMessage) =>
    proxy.refuses ??
    (proxy.wants !== undefined && headers['proxy-authorization'] !== proxy.wants ? 407 : undefined);
  const server = createServer((request, response) => {
    proxy.asked.push(`${request.method} ${request.url}`);
    const status = refusal(request);
    if (status !== undefined) return void response.writeHead(status).end();
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const forward = startRequest(request.url ?? '', { headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    forward.end();
  });
  server.on('connect', (request, socket, head) => {
    proxy.asked.push(`${request.method} ${request.url}`);
    const status = refusal(request);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const there = connect(proxy.tunnelsTo, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    for (const end of [there, socket]) end.on('error', () => there.destroy(void socket.destroy()));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: FakeProxy = { host, asked: [], wants: undefined, refuses: undefined, tunnelsTo: 0 };
  return proxy;
}
