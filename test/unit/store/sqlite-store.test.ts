import { storeSuite } from "../../conformance/store.suite.ts";
import { createSqliteSubject } from "./sqlite-subject.ts";

storeSuite({ name: "SQLite", create: createSqliteSubject });
