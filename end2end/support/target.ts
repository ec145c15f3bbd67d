import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Sent = { headers: IncomingMessage['headers']; body: string };

/** A system of the customer's own, on this machine, that a stream is sent to. */
export class Target {
  /** All that was sent, in its order. */
  readonly sent: Sent[] = [];
  /** What it answers. */
  answer = { status: 200, body: 'ok' };

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Target> {
    const server = createServer();
    const target = new Target(server);
    server.on('request', async (request, response) => {
      target.sent.push({ headers: request.headers, body: await text(request) });
      response.writeHead(target.answer.status).end(target.answer.body);
    });
    await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
    return target;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/in`;
  }

  /** The numbers of all the events that were sent. */
  get seqs(): number[] {
    const lines = this.sent.flatMap(({ body }) => body.trim().split('\n'));
    return lines.map((line) => JSON.parse(line)).filter(({ type }) => !type).map(({ seq }) => seq);
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
