import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { expect, it } from "vitest";
import { choosePorts } from "../../../localstack/choose-ports.ts";

it("every name gets a port of its own, which is free again", async () => {
  const ports = await choosePorts(["a", "b", "c"], new Map());
  expect([...ports.keys()]).toEqual(["a", "b", "c"]);
  expect(new Set(ports.values()).size).toBe(3);
  await using server = await listen(ports.get("b") ?? 0);
  expect(portOf(server)).toBe(ports.get("b"));
});

it("a port asked for is given", async () => {
  const [wanted = 0] = (await choosePorts(["a"], new Map())).values();
  expect((await choosePorts(["a", "b"], new Map([["b", wanted]]))).get("b")).toBe(wanted);
});

it("a port that someone else listens on is refused by name", async () => {
  await using stranger = await listen(0);
  const port = portOf(stranger);
  await expect(choosePorts(["a", "b"], new Map([["b", port]]))).rejects.toThrow(`b: port ${port} of 127.0.0.1`);
});

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
