import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * Gives each name a port of 127.0.0.1 that was free a moment ago, all different: the one asked for, or any.
 * Throws when a port asked for is taken, so that a stranger's answer is never mistaken for the emulator's.
 */
export async function choosePorts(
  names: readonly string[],
  asked: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const chosen = new Map<string, number>();
  await using held = new AsyncDisposableStack();
  for (const name of names) {
    const wanted = asked.get(name) ?? 0;
    const server = held.use(createServer());
    server.listen(wanted, "127.0.0.1");
    try {
      // oxlint-disable-next-line no-await-in-loop -- held open together, so that no port is given twice
      await once(server, "listening");
    } catch (error) {
      throw new Error(`${name}: port ${wanted} of 127.0.0.1 cannot be used`, { cause: error });
    }
    chosen.set(name, (server.address() as AddressInfo).port);
  }
  return chosen;
}
