import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { StartWorker } from "./worker-pool.ts";
import type { Reply } from "./wire.ts";

/** A process of Node with nothing but the module in it. The PIN goes over its channel, never through arguments or environment. */
export function workerStarter(environment: Readonly<Record<string, string>>): StartWorker {
  const file = fileURLToPath(new URL(`./worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  return (on) => {
    const child = fork(file, [], {
      serialization: "advanced",
      env: { ...environment },
      execArgv: [],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    let ended = false;
    const end = (why: string): void => {
      if (ended) return;
      ended = true;
      on.end(why);
    };
    child.on("message", (reply) => {
      on.reply(reply as Reply);
    });
    child.on("error", () => {
      end("the process of the module cannot be started");
    });
    child.on("exit", (code, signal) => {
      end(`the process of the module has ended (${signal ?? `exit ${code ?? 0}`})`);
    });
    return {
      send: (request) => {
        child.send(request, (error) => {
          if (error !== null) end("the process of the module cannot be reached");
        });
      },
      kill: () => {
        ended = true;
        child.kill("SIGKILL");
      },
    };
  };
}
