import { setTimeout as delay } from "node:timers/promises";
import { peer } from "./peers.ts";
import { start } from "./run.ts";

/** Moto, which stands for the services of AWS: its ECR has no `/v2/`, and it takes any access key. */
export interface Moto extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, for AWS_ENDPOINT_URL. */
  readonly url: string;
}

/** Starts moto_server on a free port of 127.0.0.1. */
export async function startMoto(): Promise<Moto> {
  const found = peer("moto_server");
  if (found === undefined) throw new Error("moto_server is absent: run scripts/peers");
  const running = start(found.path, ["-H", "127.0.0.1", "-p", "0"], { env: { PYTHONUNBUFFERED: "1", NO_COLOR: "1" } });
  const stop = async (): Promise<void> => void (await running.stop());
  for (let tries = 0; tries < 1200 && running.alive(); tries++) {
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(running.stderr() + running.stdout())?.[1];
    if (url !== undefined) return { url, [Symbol.asyncDispose]: stop };
    await delay(50);
  }
  const { stderr } = await running.stop();
  throw new Error(`moto_server did not come up:\n${stderr}`);
}
