import { remoteShared, type RemoteShared } from "../../../src/store/remote/shared.ts";
import { remoteStore } from "../../../src/store/remote/remote-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { fakeRegistry, type Behaviour, type FakeRegistry } from "../../support/fake-registry.ts";
import { faulty, type Fault, type FaultRule } from "../../support/faults.ts";
import { instantClock } from "../../support/instant-clock.ts";

export interface Opened {
  readonly fake: FakeRegistry;
  readonly store: Store;
  readonly shared: RemoteShared;
  readonly clock: ReturnType<typeof instantClock>;
  /** The requests since this was last called. */
  readonly log: () => readonly string[];
  /** Another store of the same host. */
  readonly other: (repository: string) => Store;
  /** The store with so many retries. */
  readonly again: (retries: number) => Store;
}

/** A store over a fake registry: `registry.example/app`. */
export function openFake(behaviour: Behaviour = {}, rules: readonly FaultRule[] = []): Opened {
  const fake = fakeRegistry(behaviour);
  const shared = remoteShared("registry.example");
  const clock = instantClock();
  const transport = faulty(fake.transport, rules);
  const options = { transport, registry: "registry.example", shared, clock };
  const other = (repository: string): Store => remoteStore({ ...options, repository });
  const again = (retries: number): Store => remoteStore({ ...options, retries, repository: "app" });
  return { fake, shared, clock, other, again, store: other("app"), log: () => fake.log.splice(0) };
}

/** A fault for the nth request of a method, and of a path that has `part` in it. */
export function onRequest(method: string, part: string, fault: Fault, nth?: number): FaultRule {
  return { match: (got, url) => got === method && url.includes(part), do: fault, ...(nth !== undefined && { nth }) };
}
