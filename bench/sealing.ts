import { NO_CONTEXT } from "#core/context.ts";
import { createUuid } from "#core/ids.ts";
import { createMessageIdSource } from "#envelope/message-id.ts";
import { seal } from "#envelope/portable.ts";
import { systemSources } from "#app/system-sources.ts";

const ROUNDS = 9;
const WARM_UP = 5000;

/** CPU time of sealing one plaintext in this process, in microseconds: what an item costs before any interface. The median of some rounds. */
export function sealingMicros(plaintext: Buffer, sealsPerRound: number): number {
  const sources = systemSources();
  const processSecret = sources.random.bytes(32);
  const input = {
    versionKey: sources.random.bytes(32),
    keyUuid: createUuid(sources),
    keyVersion: 1,
    context: NO_CONTEXT,
    plaintext,
    messageIds: createMessageIdSource({ ...sources, processSecret }),
  };
  for (let n = 0; n < WARM_UP; n += 1) seal(input);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let n = 0; n < sealsPerRound; n += 1) seal(input);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / sealsPerRound;
  });
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}
