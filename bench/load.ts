import { connect, type TLSSocket } from "node:tls";

/** One request; its answer must be of status 200. */
export type Shot = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, sent with POST. */
  readonly body: string;
};

export type Target = { readonly port: number; readonly ca: string };

export type Load = {
  readonly answers: number;
  readonly tookMs: number;
  /** Of each answer, ascending. */
  readonly latenciesMs: readonly number[];
};

/** Connections to one server that are kept. */
export interface Connections extends Disposable {
  /**
   * Sends a request again and again, over each connection the next when the answer has come; none begins after `forMs`.
   * Rejects with what an answer says that is not of status 200.
   */
  fire(shot: Shot, forMs: number): Promise<Load>;
  /** Sends a request once and gives the body of its answer. */
  ask(shot: Shot): Promise<Record<string, unknown>>;
}

/**
 * Opens connections over TLS. They write bytes that were made once and read no more of an answer than its end: what makes load on the machine
 * that it measures must cost little.
 */
export async function openConnections(target: Target, count: number): Promise<Connections> {
  const lines = await Promise.all(Array.from({ length: count }, async () => await openLine(target)));
  const [first] = lines;
  if (first === undefined) throw new Error("wanted at least one connection");
  return {
    fire: async (shot, forMs) => await fire(lines, requestBytes(shot), forMs),
    ask: async (shot) => JSON.parse(bodyOf(await first.exchange(requestBytes(shot)))) as Record<string, unknown>,
    [Symbol.dispose]: () => {
      for (const line of lines) line.close();
    },
  };
}

async function fire(lines: readonly Line[], request: Buffer, forMs: number): Promise<Load> {
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  await Promise.all(
    lines.map(async (line) => {
      for (let sentMs = startMs; sentMs < startMs + forMs; sentMs = performance.now()) {
        await line.exchange(request);
        latenciesMs.push(performance.now() - sentMs);
      }
    }),
  );
  const tookMs = performance.now() - startMs;
  return { answers: latenciesMs.length, tookMs, latenciesMs: latenciesMs.toSorted((a, b) => a - b) };
}

async function openLine({ port, ca }: Target): Promise<Line> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca, servername: "localhost" }, () => {
      socket.off("error", reject);
      resolve(new Line(socket.setNoDelay(true)));
    });
    socket.once("error", reject);
  });
}

const HEAD_END = "\r\n\r\n";

/** One connection, one request at a time. */
class Line {
  readonly #socket: TLSSocket;
  #waiting: PromiseWithResolvers<Buffer> | undefined;
  #chunks: Buffer[] = [];
  /** Bytes of the answer that are still to come; undefined while its head is not whole. */
  #missing: number | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#take(chunk);
    });
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the server closed a connection")));
  }

  /** Resolves with the whole answer as it came. */
  async exchange(request: Buffer): Promise<Buffer> {
    if (this.#socket.destroyed) throw new Error("the server has closed a connection");
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return await this.#waiting.promise;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    if (this.#missing === undefined) this.#readHead();
    else this.#missing -= chunk.length;
    if (this.#missing !== 0) return;
    const answer = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#missing = undefined;
    if (answer.toString("latin1", 9, 12) === "200") this.#waiting?.resolve(answer);
    else this.#waiting?.reject(new Error(answer.toString("utf8")));
  }

  #readHead(): void {
    const bytes = Buffer.concat(this.#chunks);
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/iu.exec(bytes.toString("latin1", 0, end))?.[1];
    if (length === undefined) this.#socket.destroy(new Error("an answer without Content-Length"));
    this.#missing = end + HEAD_END.length + Number(length) - bytes.length;
  }
}

function requestBytes({ path, headers, body }: Shot): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    "Host: localhost",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function bodyOf(answer: Buffer): string {
  return answer.toString("utf8", answer.indexOf(HEAD_END) + HEAD_END.length);
}
