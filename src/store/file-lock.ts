import { chmodSync } from "node:fs";
import Sqlite from "better-sqlite3";

/**
 * Holds a file (made with mode 0600 where there is none) until it is disposed or the process ends, however it ends: the lock is the kernel's.
 * Undefined while somebody else holds it.
 *
 * @throws what the system says where the file cannot be made
 */
export function holdFile(path: string): Disposable | undefined {
  const database = new Sqlite(path, { timeout: 0 });
  try {
    chmodSync(path, 0o600);
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_BUSY")) return undefined;
    throw error;
  }
  return {
    [Symbol.dispose]: () => {
      database.close();
    },
  };
}
