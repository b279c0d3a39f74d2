import type { VectorHsm } from "./hsm.ts";
import { JUDGES } from "./judges.ts";
import { WycheproofFile } from "./schema.ts";

export type Tally = {
  /** Vectors whose result is ours too. */
  readonly agreed: number;
  /** Vectors of what no algorithm of ours covers. */
  readonly passedOver: number;
  /** A line for each vector on which we differ. */
  readonly differences: readonly string[];
};

/** Runs a file. What is `acceptable` may be refused, or accepted with the right output. */
export async function runFile(json: unknown, hsm: VectorHsm): Promise<Tally> {
  const { algorithm: of, testGroups } = WycheproofFile.parse(json);
  let agreed = 0;
  let passedOver = 0;
  const differences: string[] = [];
  for (const group of testGroups) {
    const judge = JUDGES[group.type];
    for (const vector of group.tests) {
      const verdict = (await judge?.({ hsm, of, group, vector })) ?? null;
      if (verdict === null) passedOver++;
      else if (fits(vector.result, verdict)) agreed++;
      else differences.push(`${vector.tcId} ${vector.comment ?? ""} (${vector.result}): ${verdict}`);
    }
  }
  return { agreed, passedOver, differences };
}

function fits(result: "valid" | "invalid" | "acceptable", verdict: "accepted" | "refused" | "wrong"): boolean {
  if (result === "valid") return verdict === "accepted";
  return verdict === "refused" || (result === "acceptable" && verdict === "accepted");
}
