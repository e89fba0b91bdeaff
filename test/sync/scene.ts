import {
  createClient,
  type Applied,
  type Client,
  type ClientOptions,
  type Event,
  type PlanSyncOptions,
} from "../../src/index.ts";
import { parseSync } from "../../src/policy/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import { onTestFinished } from "vitest";

export interface Scene {
  readonly client: Client;
  /** The requests since it was asked last: `HEAD 127.0.0.1:5000/app/manifests/1.0`. */
  requests(): readonly string[];
  /** Plans for a mapping, several, or a whole file but for its version, and remembers what was found. */
  plan(mappings: unknown, options?: PlanSyncOptions): Promise<Plan>;
  /** Plans, applies and remembers. */
  sync(mappings: unknown, options?: PlanSyncOptions): Promise<{ readonly plan: Plan; readonly applied: Applied }>;
}

/** A client whose requests are counted, gone when the test is over. */
export function syncScene(options: ClientOptions = {}): Scene {
  let seen: string[] = [];
  const onEvent = (event: Event): void => {
    if (event.type !== "request") return;
    const url = new URL(event.url);
    if (url.pathname === "/v2/") return; // Which service it is, and whether it wants a login.
    seen.push(`${event.method} ${url.host}${url.pathname.replace("/v2", "")}`);
  };
  const client = createClient({ env: { HOME: "/nonexistent" }, retryDelay: 1, ...options, onEvent });
  onTestFinished(() => client.close());
  const rules = (mappings: unknown) => {
    const isFile = typeof mappings === "object" && mappings !== null && "sync" in mappings;
    return parseSync({
      name: "sync.yaml",
      value: { version: 1, ...(isFile ? mappings : { sync: [mappings].flat() }) },
    });
  };
  return {
    client,
    requests() {
      const since = seen;
      seen = [];
      return since.toSorted();
    },
    async plan(mappings, planOptions) {
      const { plan, remember } = await client.planSync(rules(mappings), planOptions);
      await remember();
      return plan;
    },
    async sync(mappings, planOptions) {
      const { plan, remember } = await client.planSync(rules(mappings), planOptions);
      const applied = await client.apply(plan);
      await remember(applied);
      return { plan, applied };
    },
  };
}

/** What a plan does, in words. */
export const stepsOf = ({ steps }: Plan): readonly string[] =>
  steps.map((step) => `${step.do} ${step.at.replace(/@sha256:.*/, "@")}: ${step.why.replaceAll(/sha256:\w+/g, "#")}`);
