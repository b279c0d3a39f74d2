import { expect, it } from "vitest";
import { RECORDS, putRecord } from "../../conformance/sealed-records.ts";
import { createSqliteSubject } from "./sqlite-subject.ts";

it("a snapshot takes the place of the one before, and leaves as many changes as a slow process may lag behind", async () => {
  await using subject = await createSqliteSubject();
  const store = await subject.open({ snapshotEvery: 10 });
  for (let time = 1; time <= 39; time += 1) {
    await store.change((catalog) => {
      const revision = catalog.revisionOf("drains", "provider-1");
      return { mutations: [putRecord("drains", RECORDS.drains(1, time), revision)], result: undefined };
    });
  }
  await store.refresh();
  const kept = subject.attack((database) => ({
    snapshots: database.prepare("select revision, part, parts from snapshots").all(),
    changes: database.prepare("select min(revision) as oldest, max(revision) as newest from changes").get(),
  }));
  const { revision } = kept.snapshots[0] as { revision: number };
  expect(revision).toBeGreaterThanOrEqual(30);
  expect(kept.snapshots).toEqual([{ revision, part: 1, parts: 1 }]);
  expect(kept.changes).toEqual({ oldest: revision - 9, newest: 39 });
});
