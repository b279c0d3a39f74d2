import { describe, expect, it } from "vitest";
import { auditEvent, TrailFixture } from "./trail-fixture.ts";

const T0 = Date.UTC(2026, 0, 2, 3, 4, 5);

describe("a query of the trail", () => {
  it("answers newest first, page by page, without headers and checkpoints", async () => {
    using fixture = new TrailFixture();
    await using trail = fixture.open({ limits: { segmentBytes: 3000, checkpointRecords: 4 } });
    for (let index = 0; index < 50; index++) await trail.append(auditEvent({ requestId: `r${index}` }));
    const seen: string[] = [];
    for (let before: number | undefined; ;) {
      const page = await trail.query({}, before === undefined ? { limit: 7 } : { limit: 7, before });
      if (page.length === 0) break;
      seen.push(...page.map((event) => event.requestId));
      before = page.at(-1)?.sequence;
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => `r${49 - index}`));
    expect(fixture.files().length).toBeGreaterThan(3);
  });

  it("gives back the event as it was appended, with its sequence and process", async () => {
    using fixture = new TrailFixture();
    await using trail = fixture.open();
    const event = auditEvent({
      provider: null,
      attempts: [{ provider: "aws-eu", operation: "unwrap", outcome: "OUTAGE", requestId: "abc", latencyMs: 12.5 }],
      items: [["ok", 99]],
      detail: { reason: 'says "no"' },
    });
    await trail.append(event);
    expect(await trail.query({}, { limit: 1 })).toEqual([{ ...event, sequence: 2, process: "gateway" }]);
  });

  it.for([
    ["namespace", "payments"],
    ["key", "key_other"],
    ["client", "cli_other"],
    ["operation", "keys.create"],
    ["outcome", "CIPHERTEXT_INVALID"],
    ["requestId", 'req "quoted" é'],
  ] as const)("filters by %s, exactly", async ([member, value]) => {
    using fixture = new TrailFixture();
    await using trail = fixture.open();
    await trail.append(auditEvent({ requestId: "decoy", detail: { [member]: value } }));
    await trail.append(auditEvent({ [member]: value }));
    await trail.append(auditEvent({ [member]: `${value}x` }));
    const found = await trail.query({ [member]: value }, { limit: 10 });
    expect(found.map(({ sequence }) => sequence)).toEqual([3]);
    expect(await trail.query({ [member]: value, namespace: "absent" }, { limit: 10 })).toEqual([]);
  });

  it("filters by time, both ends included, and finds what was appended later than it happened", async () => {
    using fixture = new TrailFixture();
    await using trail = fixture.open({ limits: { segmentBytes: 2000, checkpointRecords: 3 } });
    for (let index = 0; index < 20; index++) {
      await trail.append(auditEvent({ time: T0 + index * 1000, requestId: `r${index}` }));
      fixture.time.advance(1000);
    }
    await trail.append(auditEvent({ time: T0 + 11_000, requestId: "late" }));
    const found = await trail.query({ since: T0 + 10_000, until: T0 + 12_000 }, { limit: 10 });
    expect(found.map(({ requestId }) => requestId)).toEqual(["late", "r12", "r11", "r10"]);
  });

  it("joins the chains of several processes by time and pages through each", async () => {
    using fixture = new TrailFixture();
    await using one = fixture.open();
    await using two = fixture.open({ process: "worker-2" });
    for (let index = 0; index < 10; index++) {
      await (index % 3 === 0 ? two : one).append(auditEvent({ time: T0 + index, requestId: `r${index}` }));
    }
    const seen: string[] = [];
    const before: Record<string, number> = {};
    for (;;) {
      const page = await one.query({}, { limit: 3, before });
      if (page.length === 0) break;
      for (const event of page) before[event.process] = event.sequence;
      seen.push(...page.map((event) => event.requestId));
    }
    expect(seen).toEqual(Array.from({ length: 10 }, (_, index) => `r${9 - index}`));
  });

  it("reads lines over the borders of its blocks", async () => {
    using fixture = new TrailFixture();
    await using trail = fixture.open();
    const sizes = [10, 300_000, 5, 262_144, 700_000, 1];
    for (const size of sizes) await trail.append(auditEvent({ detail: { text: "é".repeat(size) } }));
    const found = await trail.query({}, { limit: 10 });
    expect(found.map(({ detail }) => detail?.["text"]?.length)).toEqual(sizes.toReversed());
  });
});
