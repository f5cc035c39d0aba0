// A stand-in for OpenAI's images API, strict about path and key.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const photo = new URL('photo.jpg', import.meta.url).pathname;

/** What the stand-in does with one call. */
export type Answer = 'picture' | 'partly' | 'hang' | keyof typeof refusals;

const KEY = 'sk-end-to-end';
const PATHS = ['/v1/images/generations', '/v1/images/edits'];

const drawn = readFileSync(photo).toString('base64');
const picture = JSON.stringify({
  created: 1,
  data: [{ b64_json: drawn }],
  usage: { input_tokens: 20, output_tokens: 1000, total_tokens: 1020 },
});
const refusals = {
  unsafe: { status: 400, code: 'moderation_blocked' },
  broke: { status: 429, code: 'credit_balance_exhausted' },
};

export class OpenAi {
  /** Calls that hang until they are released or given up. */
  private readonly hanging = new Set<ServerResponse>();

  private constructor(
    private readonly server: Server,
    private readonly answers: Answer[],
  ) {}

  /** Gives these answers in turn, then pictures. */
  static async start(answers: Answer[]): Promise<OpenAi> {
    const server = createServer();
    const openai = new OpenAi(server, [...answers]);
    server.on('request', (request, response) => openai.answer(request, response));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return openai;
  }

  /** How a studio is told of the stand-in. */
  get environment(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` };
  }

  /** Calls under way that were told to hang and that the studio still waits for. */
  waiting(): number {
    return this.hanging.size;
  }

  /** Answers the calls that hang with pictures. */
  release(): void {
    for (const response of this.hanging) {
      if (response.headersSent) response.end(event('completed'));
      else send(response, 200, picture);
    }
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    request.on('end', () => {
      if (request.method !== 'POST' || !PATHS.includes(request.url ?? '')) return send(response, 404, '{}');
      if (request.headers.authorization !== `Bearer ${KEY}`) return send(response, 401, '{}');
      const answer = this.answers.shift() ?? 'picture';
      if (answer === 'picture') return send(response, 200, picture);
      if (answer === 'partly') return this.begin(response);
      if (answer === 'hang') return this.hang(response);
      const { status, code } = refusals[answer];
      send(response, status, JSON.stringify({ error: { message: 'No.', type: 'invalid_request_error', code } }));
    });
  }

  /** A picture that is seen while it is drawn, and finished when it is released. */
  private begin(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('partial_image'));
    this.hang(response);
  }

  private hang(response: ServerResponse): void {
    this.hanging.add(response);
    response.on('close', () => this.hanging.delete(response));
  }
}

function event(kind: string): string {
  const type = `image_generation.${kind}`;
  return `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: drawn, partial_image_index: 0 })}\n\n`;
}

function send(response: ServerResponse, status: number, json: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_end_to_end' }).end(json);
}
