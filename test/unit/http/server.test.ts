import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as tlsConnect } from "node:tls";
import { describe, expect, it } from "vitest";
import { createLocalAuthority, issueServerCertificate } from "#http/local-authority.ts";
import { openServer, type RunningServer, type ServerOptions } from "#http/server.ts";
import { HttpFixture } from "./http-fixture.ts";

const now = Date.now(); // TLS clients have no other clock
const authority = await createLocalAuthority(now);
const tls = await issueServerCertificate(authority, { host: "127.0.0.1", now });

function open(changes: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return openServer({
    host: "127.0.0.1",
    port: 0,
    tls,
    newRequestId: () => "req_1",
    handle: (_request, response) => response.end("{}"),
    ...changes,
  });
}

describe("the server", () => {
  it("speaks TLS 1.2 and 1.3 with the certificate of the local authority", async () => {
    const server = await open();
    for (const host of ["127.0.0.1", "localhost"]) {
      const status = await new Promise((resolve, reject) => {
        const options = { host, port: server.port, ca: authority.certificate, agent: false, family: 4 };
        httpsRequest(options, (response) => resolve(response.resume().statusCode))
          .on("error", reject)
          .end();
      });
      expect(status).toBe(200);
    }
    await server.close(100);
  });

  it.for([
    ["TLSv1.3", "TLSv1.3"],
    ["TLSv1.2", "TLSv1.2"],
    ["TLSv1.1", undefined],
  ] as const)("offered %s speaks %s", async ([offered, spoken]) => {
    const server = await open();
    const protocol = await new Promise((resolve) => {
      const options = {
        ca: authority.certificate,
        minVersion: "TLSv1" as const,
        maxVersion: offered,
        ciphers: "DEFAULT:@SECLEVEL=0",
      };
      const socket = tlsConnect(server.port, "127.0.0.1", options, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on("error", () => resolve(undefined));
    });
    expect(protocol).toBe(spoken);
    await server.close(100);
  });

  it("presents a renewed certificate to new connections", async () => {
    const server = await open();
    const serialOf = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = tlsConnect(server.port, "127.0.0.1", { ca: authority.certificate }, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.on("error", reject);
      });
    const before = await serialOf();
    server.renew(await issueServerCertificate(authority, { host: "127.0.0.1", now }));
    expect(await serialOf()).not.toBe(before);
    await server.close(100);
  });

  it("tells an operator what keeps it from listening", async () => {
    const server = await open();
    await expect(open({ port: server.port })).rejects.toThrow(`port ${server.port} on 127.0.0.1 is in use`);
    await expect(open({ host: "192.0.2.1" })).rejects.toThrow("listen.host: 192.0.2.1 is no address of this machine");
    await server.close(100);
  });

  it("answers headers above 32 KiB with a problem of status 431", async () => {
    await using fixture = await HttpFixture.open();
    const text = await fixture.raw(`GET /text HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(33 * 1024)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 431 Request Header Fields Too Large\r\n/u);
    expect(text).toContain("application/problem+json");
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n")))).toMatchObject({ code: "HEADERS_TOO_LARGE", status: 431 });
  });

  it("takes headers a little below 32 KiB", async () => {
    await using fixture = await HttpFixture.open();
    const answer = await fixture.ask({ method: "GET", path: "/text", headers: { "X-Large": "x".repeat(31 * 1024) } });
    expect(answer.status).toBe(200);
  });

  it.for([
    ["no HTTP", "hello\r\n\r\n"],
    ["two lengths", "POST /v1/use HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "a length beside chunks",
      "POST /v1/use HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["white space before a colon", "GET /text HTTP/1.1\r\nHost : x\r\n\r\n"],
    ["a folded header", "GET /text HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\nB\r\n\r\n"],
    ["a bad chunk", "POST /v1/use HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ])("answers %s with a problem of status 400 and closes", async ([, bytes]) => {
    await using fixture = await HttpFixture.open();
    const text = await fixture.raw(bytes ?? "");
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/u);
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n")))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("lets a running request end when it closes, takes no new one, and does not wait for idle connections", async () => {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const server = await open({
      tls: undefined,
      handle: (request, response) => {
        if (request.url === "/idle") {
          response.end("idle");
          return;
        }
        isAsked();
        void released.then(() => response.end("done"));
      },
    });
    const agent = new HttpAgent({ keepAlive: true });
    const ask = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ host: "127.0.0.1", port: server.port, path, agent }, (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => resolve(text));
        });
        request.on("error", reject).end();
      });
    expect(await ask("/idle")).toBe("idle");
    const running = ask("/running");
    await asked;
    const closed = server.close(60_000);
    await expect(ask("/idle")).rejects.toThrow("ECONNREFUSED");
    release();
    expect(await running).toBe("done");
    await closed;
    agent.destroy();
  });

  it("cuts what still runs after the grace", async () => {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const server = await open({ tls: undefined, handle: () => isAsked() });
    const cut = new Promise((resolve) => {
      httpRequest({ host: "127.0.0.1", port: server.port, agent: false }).on("error", resolve).end();
    });
    await asked;
    await server.close(1);
    expect(await cut).toBeInstanceOf(Error);
  });
});
