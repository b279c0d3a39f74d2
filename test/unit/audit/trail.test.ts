import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lineHash } from "#audit/record.ts";
import type { Disk } from "#audit/segment-file.ts";
import { auditEvent, TrailFixture } from "./trail-fixture.ts";

/** A disk that refuses what it is told to. */
class FaultyDisk {
  /** Writes accept only this many bytes in all, and then say that the disk is full. */
  roomBytes = Infinity;
  broken = new Set<keyof Disk>();
  writes = 0;
  syncs = 0;
  /** While set, what goes to the thread pool waits here until it is run. */
  held: (() => void)[] | undefined;

  readonly disk: Disk = {
    ...fs,
    writeSync: ((fd: number, data: string | Uint8Array, offset?: number) => {
      this.writes += 1;
      const bytes = Buffer.from(data as Uint8Array).subarray(offset ?? 0);
      return fs.writeSync(fd, bytes, 0, this.#take(bytes.length));
    }) as typeof fs.writeSync,
    write: ((fd: number, bytes: Buffer, offset: number, done: (error: Error | null, written: number) => void) => {
      this.writes += 1;
      if (this.held !== undefined) this.held.push(() => fs.write(fd, bytes, offset, null, null, done));
      else
        try {
          fs.write(fd, bytes, offset, this.#take(bytes.length - offset), null, done);
        } catch (error) {
          queueMicrotask(() => done(error as Error, 0));
        }
    }) as typeof fs.write,
    fdatasync: ((fd: number, done: (error: Error | null) => void) => {
      this.syncs += 1;
      if (this.held !== undefined) this.held.push(() => done(new Error("EIO")));
      else if (this.broken.has("fdatasync")) queueMicrotask(() => done(new Error("EIO")));
      else fs.fdatasync(fd, done);
    }) as typeof fs.fdatasync,
    ftruncateSync: (fd, length) => {
      if (this.broken.has("ftruncateSync")) throw new Error("EIO");
      fs.ftruncateSync(fd, length);
    },
    openSync: (path, flags, mode) => {
      if (this.broken.has("openSync")) throw new Error("ENOSPC");
      return fs.openSync(path, flags, mode);
    },
  };

  #take(length: number): number {
    if (this.roomBytes === 0) throw new Error("ENOSPC");
    const taken = Math.min(length, this.roomBytes);
    this.roomBytes -= taken;
    return taken;
  }
}

const unavailable = expect.objectContaining({ code: "AUDIT_UNAVAILABLE" }) as unknown;

describe("the audit trail", () => {
  it("writes one line per event, each with its sequence and the hash of the line before", async () => {
    using fixture = new TrailFixture();
    {
      await using trail = fixture.open();
      await Promise.all([1, 2, 3].map((keyVersion) => trail.append(auditEvent({ keyVersion }))));
      await trail.append(auditEvent({ requestId: "é\n\u2028\ud800", detail: { __proto__x: "y" } }));
    }
    const [file = ""] = fixture.files();
    const lines = fixture.lines(file);
    expect(fixture.records().map((record) => record["sequence"])).toEqual([1, 2, 3, 4, 5, 6]);
    expect(fixture.records().map((record) => record["keyVersion"])).toEqual([undefined, 1, 2, 3, 1, undefined]);
    for (const [index, record] of fixture.records().entries()) {
      const before = lines[index - 1];
      expect(record["previous"]).toBe(before === undefined ? Buffer.alloc(32).toString("base64") : lineHash(before));
    }
    expect(fixture.records()[4]).toMatchObject({ requestId: "é\n\u2028\ud800" });
    expect(fixture.records()[5]).toMatchObject({ type: "checkpoint", reason: "close" });
    expect(file).toBe("20260102T030405.000Z-gateway-1.jsonl");
    expect(statSync(join(fixture.folder, file)).mode & 0o777).toBe(0o600);
    expect(statSync(fixture.folder).mode & 0o777).toBe(0o700);
    expect(await fixture.verify()).toMatchObject({ ok: true, records: 6, segments: 1, chains: [{ closed: true }] });
  });

  it("joins the appends of one turn of the event loop in one write", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    await using trail = fixture.open({ disk: faulty.disk });
    const before = faulty.writes;
    await Promise.all(Array.from({ length: 10 }, () => trail.append(auditEvent())));
    expect(faulty.writes - before).toBe(1);
    await Promise.all(Array.from({ length: 500 }, () => trail.append(auditEvent())));
    expect(faulty.writes - before).toBe(2);
  });

  it("has written the record when the promise resolves", async () => {
    using fixture = new TrailFixture();
    await using trail = fixture.open();
    await trail.append(auditEvent({ requestId: "small" }));
    expect(fixture.records().at(-1)).toMatchObject({ requestId: "small" });
    const large = Array.from({ length: 100 }, (_, index) => trail.append(auditEvent({ requestId: `large-${index}` })));
    await large[0];
    expect(fixture.records().at(-1)).toMatchObject({ requestId: "large-99" });
  });

  it("has synced the disk when a synced append resolves, and others within a second", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    await using trail = fixture.open({ disk: faulty.disk });
    await trail.append(auditEvent());
    expect(faulty.syncs).toBe(0);
    fixture.time.advance(999);
    expect(faulty.syncs).toBe(0);
    fixture.time.advance(1);
    expect(faulty.syncs).toBe(1);
    await Promise.all([trail.append(auditEvent(), { sync: true }), trail.append(auditEvent(), { sync: true })]);
    expect(faulty.syncs).toBe(2);
    fixture.time.advance(5000);
    expect(faulty.syncs).toBe(2);
  });

  it("signs a checkpoint every thousand records, after 60 s with new records, and when it closes", async () => {
    using fixture = new TrailFixture();
    {
      await using trail = fixture.open();
      for (let group = 0; group < 11; group++) {
        await Promise.all(Array.from({ length: 100 }, () => trail.append(auditEvent())));
      }
      fixture.time.advance(60_000);
      await trail.append(auditEvent());
      fixture.time.advance(60_000);
    }
    const checkpoints = fixture.records().filter((record) => record["type"] === "checkpoint");
    expect(checkpoints.map(({ sequence, reason }) => [sequence, reason])).toEqual([
      [1001, "records"],
      [1104, "time"],
      [1105, "close"],
    ]);
    expect(await fixture.verify()).toMatchObject({ ok: true, chains: [{ unsigned: null }] });
  });

  it("writes no checkpoint while nothing happens", async () => {
    using fixture = new TrailFixture();
    await using trail = fixture.open();
    fixture.time.advance(60_000);
    await trail.append(auditEvent(), { sync: true });
    for (let minute = 0; minute < 5; minute++) fixture.time.advance(60_000);
    await new Promise(setImmediate);
    for (let minute = 0; minute < 5; minute++) fixture.time.advance(60_000);
    await new Promise(setImmediate);
    expect(fixture.records().filter((record) => record["type"] === "checkpoint")).toHaveLength(1);
  });

  it("begins a new segment at the size, which names the one before", async () => {
    using fixture = new TrailFixture();
    {
      await using trail = fixture.open({ limits: { segmentBytes: 2000 } });
      for (let index = 0; index < 12; index++) await trail.append(auditEvent());
    }
    const [first = "", second = ""] = fixture.files();
    expect(fixture.files().length).toBeGreaterThan(2);
    const header = JSON.parse(fixture.lines(second)[0] ?? "") as Record<string, unknown>;
    expect(header).toMatchObject({ type: "segment", segment: 2, after: { file: first, end: "rotation", torn: null } });
    expect(header["previous"]).toBe(lineHash(fixture.lines(first).at(-1) ?? ""));
    expect(JSON.parse(fixture.lines(first).at(-1) ?? "")).toMatchObject({ type: "checkpoint", reason: "rotation" });
    expect(await fixture.verify()).toMatchObject({ ok: true });
  });

  it("goes on with its chain after a restart, and keeps the chains of processes apart", async () => {
    using fixture = new TrailFixture();
    for (let start = 0; start < 3; start++) {
      await using one = fixture.open();
      await using two = fixture.open({ process: "worker-2" });
      await Promise.all([one.append(auditEvent()), two.append(auditEvent())]);
      fixture.time.advance(1000);
    }
    const report = await fixture.verify();
    expect(report).toMatchObject({ ok: true, segments: 6 });
    expect(report.chains.map(({ process, lastSequence }) => [process, lastSequence])).toEqual([
      ["gateway", 9],
      ["worker-2", 9],
    ]);
  });

  it("refuses appends once it is closed", async () => {
    using fixture = new TrailFixture();
    const trail = fixture.open();
    await trail[Symbol.asyncDispose]();
    await expect(trail.append(auditEvent())).rejects.toEqual(unavailable);
  });

  it("does not open in a folder that cannot be written", () => {
    using fixture = new TrailFixture();
    writeFileSync(fixture.folder, "a file stands here");
    expect(() => fixture.open()).toThrow(expect.objectContaining({ code: "AUDIT_UNAVAILABLE" }));
  });
});

describe.for([
  { name: "a small group", size: 1 },
  { name: "a large group", size: 40 },
])("when $name cannot be written", ({ size }) => {
  const group = (trail: { append: (event: ReturnType<typeof auditEvent>) => Promise<void> }): Promise<unknown[]> =>
    Promise.allSettled(Array.from({ length: size }, () => trail.append(auditEvent())));
  const outcomes = (status: string): unknown => Array.from({ length: size }, () => expect.objectContaining({ status }));

  it("fails the appends, leaves no half line, and goes on at the next append when there is room again", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    {
      await using trail = fixture.open({ disk: faulty.disk });
      await trail.append(auditEvent());
      faulty.roomBytes = 100;
      expect(await group(trail)).toEqual(outcomes("rejected"));
      expect(trail.available).toBe(false);
      await expect(trail.append(auditEvent(), { sync: true })).rejects.toEqual(unavailable);
      expect(readFileSync(join(fixture.folder, fixture.files()[0] ?? ""), "utf8").endsWith("}\n")).toBe(true);
      faulty.roomBytes = Infinity;
      expect(await group(trail)).toEqual(outcomes("fulfilled"));
      expect(trail.available).toBe(true);
    }
    expect(fixture.files()).toHaveLength(1);
    expect(await fixture.verify()).toMatchObject({ ok: true, records: size + 3 });
    expect(fixture.troubles).toEqual(["the audit trail cannot be written"]);
  });

  it("begins a new segment that names the half line where the disk does not take it back", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    {
      await using trail = fixture.open({ disk: faulty.disk });
      await trail.append(auditEvent());
      faulty.roomBytes = 100;
      faulty.broken.add("ftruncateSync");
      expect(await group(trail)).toEqual(outcomes("rejected"));
      faulty.roomBytes = Infinity;
      fixture.time.advance(10);
      expect(await group(trail)).toEqual(outcomes("fulfilled"));
    }
    expect(fixture.files()).toHaveLength(2);
    expect(await fixture.verify()).toMatchObject({ ok: true, chains: [{ torn: [{ line: 3, bytes: 100 }] }] });
  });
});

describe("the audit trail on a failing disk", () => {
  it("recovers without an append, so that a gateway that is not ready becomes ready", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    await using trail = fixture.open({ disk: faulty.disk });
    faulty.roomBytes = 0;
    await expect(trail.append(auditEvent())).rejects.toEqual(unavailable);
    fixture.time.advance(1000);
    await new Promise(setImmediate);
    expect(trail.available).toBe(false);
    faulty.roomBytes = Infinity;
    fixture.time.advance(1000);
    await expect.poll(() => trail.available).toBe(true);
  });

  it("fails synced appends and gives the segment up where the disk does not sync", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    {
      await using trail = fixture.open({ disk: faulty.disk });
      faulty.broken.add("fdatasync");
      await expect(trail.append(auditEvent(), { sync: true })).rejects.toEqual(unavailable);
      expect(trail.available).toBe(false);
      faulty.broken.clear();
      fixture.time.advance(10);
      await trail.append(auditEvent(), { sync: true });
      expect(trail.available).toBe(true);
    }
    expect(fixture.files()).toHaveLength(2);
    expect(await fixture.verify()).toMatchObject({ ok: true });
  });

  it("fails what is being written while the segment is given up, and keeps the chain whole", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    {
      await using trail = fixture.open({ disk: faulty.disk });
      faulty.held = [];
      const synced = trail.append(auditEvent(), { sync: true });
      await expect.poll(() => faulty.held?.length).toBe(1);
      const written = trail.append(auditEvent());
      await expect.poll(() => faulty.held?.length).toBe(2);
      const held = faulty.held;
      faulty.held = undefined;
      held[0]?.();
      await expect(synced).rejects.toEqual(unavailable);
      held[1]?.();
      await expect(written).rejects.toEqual(unavailable);
      fixture.time.advance(10);
      await trail.append(auditEvent(), { sync: true });
    }
    expect(fixture.files()).toHaveLength(2);
    expect(await fixture.verify()).toMatchObject({ ok: true, chains: [{ closed: true }] });
  });

  it("keeps the chain whole where a rotation fails half-way", async () => {
    using fixture = new TrailFixture();
    const faulty = new FaultyDisk();
    {
      await using trail = fixture.open({ disk: faulty.disk, limits: { segmentBytes: 1000 } });
      for (let index = 0; index < 2; index++) await trail.append(auditEvent());
      faulty.broken.add("openSync");
      await expect(trail.append(auditEvent())).rejects.toEqual(unavailable);
      await expect(trail.append(auditEvent())).rejects.toEqual(unavailable);
      faulty.broken.clear();
      faulty.roomBytes = 0;
      await expect(trail.append(auditEvent())).rejects.toEqual(unavailable);
      faulty.roomBytes = Infinity;
      fixture.time.advance(10);
      await trail.append(auditEvent());
    }
    expect(await fixture.verify()).toMatchObject({ ok: true, chains: [{ closed: true }] });
  });

  it("notices within a second that its segment was removed, and the verifier names it", async () => {
    using fixture = new TrailFixture();
    {
      await using trail = fixture.open();
      await trail.append(auditEvent(), { sync: true });
      const [file = ""] = fixture.files();
      rmSync(join(fixture.folder, file));
      fixture.time.advance(1000);
      expect(fixture.troubles).toEqual([`audit segment ${file} was removed or changed by somebody else`]);
      await trail.append(auditEvent(), { sync: true });
    }
    const report = await fixture.verify();
    expect(report.findings).toEqual([
      expect.objectContaining({ kind: "removed", detail: "segment 1 is missing before this one" }),
    ]);
  });

  it("notices within a second that its segment was cut, and the verifier names it", async () => {
    using fixture = new TrailFixture();
    {
      await using trail = fixture.open();
      await trail.append(auditEvent());
      await trail.append(auditEvent());
      const path = join(fixture.folder, fixture.files()[0] ?? "");
      truncateSync(path, readFileSync(path, "utf8").trimEnd().lastIndexOf("\n") + 1);
      fixture.time.advance(1000);
      await trail.append(auditEvent());
    }
    const report = await fixture.verify();
    expect(report.findings.map(({ kind }) => kind)).toEqual(["truncated"]);
  });
});

describe("after an unclean stop", () => {
  /** A trail that was killed: nothing closes it, and its last line may be half there. */
  async function killed(fixture: TrailFixture, half: string): Promise<void> {
    const trail = fixture.open();
    await trail.append(auditEvent());
    appendFileSync(join(fixture.folder, fixture.files().at(-1) ?? ""), half);
    fixture.time.advance(500);
  }

  it("a new segment names the torn line, and the verifier does not take it for tampering", async () => {
    using fixture = new TrailFixture();
    await killed(fixture, '{"sequence":3,"prev');
    await fixture.open()[Symbol.asyncDispose]();
    const report = await fixture.verify();
    expect(report).toMatchObject({ ok: true, chains: [{ torn: [{ line: 3, bytes: 19 }], closed: true }] });
    expect(fixture.records().filter((record) => record["type"] === "segment")).toHaveLength(2);
  });

  it("a torn line that no segment names is reported as truncated", async () => {
    using fixture = new TrailFixture();
    await killed(fixture, '{"sequence":3,"prev');
    expect((await fixture.verify()).findings).toEqual([expect.objectContaining({ kind: "truncated", line: 3 })]);
  });

  it("a torn line that is another than the segment names is reported as truncated", async () => {
    using fixture = new TrailFixture();
    await killed(fixture, '{"sequence":3,"prev');
    const torn = join(fixture.folder, fixture.files().at(-1) ?? "");
    await fixture.open()[Symbol.asyncDispose]();
    truncateSync(torn, statSync(torn).size - 1);
    expect((await fixture.verify()).findings).toEqual([expect.objectContaining({ kind: "truncated", line: 3 })]);
  });

  it("goes on from a segment that holds nothing, or half its first line", async () => {
    using fixture = new TrailFixture();
    await fixture.open()[Symbol.asyncDispose]();
    writeFileSync(join(fixture.folder, "20260102T030406.000Z-gateway-2.jsonl"), "");
    await fixture.open()[Symbol.asyncDispose]();
    writeFileSync(join(fixture.folder, "20260102T030407.000Z-gateway-4.jsonl"), '{"sequ');
    await fixture.open()[Symbol.asyncDispose]();
    expect(await fixture.verify()).toMatchObject({
      ok: true,
      segments: 5,
      records: 8,
      chains: [{ torn: [{ bytes: 0 }, { bytes: 6 }] }],
    });
  });

  it("goes on from a damaged last line, which the verifier names", async () => {
    using fixture = new TrailFixture();
    await killed(fixture, "\0\0\0damaged\n");
    await fixture.open()[Symbol.asyncDispose]();
    expect((await fixture.verify()).findings).toEqual([expect.objectContaining({ kind: "edited", line: 3 })]);
  });
});

describe("anchors", () => {
  it("hold every checkpoint, and cover the trail after an orderly stop", async () => {
    using fixture = new TrailFixture();
    const anchors = [join(fixture.root, "anchor-1.jsonl"), join(fixture.root, "anchor-2.jsonl")];
    {
      await using trail = fixture.open({ anchors, limits: { checkpointRecords: 5 } });
      for (let index = 0; index < 12; index++) await trail.append(auditEvent());
    }
    const checkpoints = fixture
      .files()
      .flatMap((file) => fixture.lines(file).filter((line) => line.includes('"checkpoint"')));
    for (const anchor of anchors) expect(readFileSync(anchor, "utf8")).toBe(`${checkpoints.join("\n")}\n`);
    const report = await fixture.verify(anchors);
    expect(report).toMatchObject({ ok: true, chains: [{ unanchored: null, lastAnchor: { sequence: 16 } }] });
    expect(report.anchors.map(({ checkpoints: count }) => count)).toEqual([3, 3]);
  });

  it("leave what follows the last one unanchored, by name", async () => {
    using fixture = new TrailFixture();
    const anchor = join(fixture.root, "anchor.jsonl");
    const trail = fixture.open({ anchors: [anchor] });
    await trail.append(auditEvent());
    fixture.time.advance(60_000);
    await new Promise(setImmediate);
    await trail.append(auditEvent(), { sync: true });
    await expect.poll(() => fs.existsSync(anchor)).toBe(true);
    expect(await fixture.verify([anchor])).toMatchObject({
      ok: true,
      chains: [
        { lastAnchor: { sequence: 3 }, unanchored: { from: 4, to: 4 }, unsigned: { from: 4, to: 4 }, closed: false },
      ],
    });
    expect(await fixture.verify()).toMatchObject({
      ok: true,
      chains: [{ lastAnchor: null, unanchored: { from: 1, to: 4 } }],
    });
  });

  it("go on behind half a line, and one that cannot be written stops nothing", async () => {
    using fixture = new TrailFixture();
    const anchor = join(fixture.root, "anchor.jsonl");
    writeFileSync(anchor, '{"sequ');
    {
      await using trail = fixture.open({ anchors: [join(fixture.root, "missing", "anchor.jsonl"), anchor] });
      await trail.append(auditEvent());
    }
    const report = await fixture.verify([anchor, join(fixture.root, "missing", "anchor.jsonl")]);
    expect(report.ok).toBe(true);
    expect(report.anchors).toMatchObject([{ found: true, checkpoints: 1, unreadable: 1 }, { found: false }]);
    expect(fixture.troubles).toEqual([expect.stringContaining("cannot write anchor")]);
  });
});
