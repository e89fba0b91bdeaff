import type { Semaphore } from "../graph/semaphore.ts";
import type { Call } from "../store/store.ts";
import type { Ending } from "./act.ts";
import type { ApplyOptions } from "./apply.ts";
import type { Before } from "./before.ts";
import type { Hands } from "./hands.ts";
import type { DeleteManifest, DeleteTag, Step } from "./plan.ts";

/** What the parts of an application share. */
export interface Running {
  readonly hands: Hands;
  readonly options: ApplyOptions;
  /** With the signal that also fires where the application has to end. */
  readonly call: Call;
  readonly room: Semaphore;
  /** The deletions in a place that may still come. */
  readonly openIn: (place: string) => readonly (DeleteTag | DeleteManifest)[];
  /** Writes down what is about to be done; nothing may be done before it is written. */
  readonly begin: (step: Step, before: Before) => Promise<void>;
  /** How a step ends without having been tried: where its registry leaves one after the other unanswered. */
  readonly silent: (step: Step) => Ending | undefined;
  readonly settle: (step: Step, ending: Ending) => void;
  /** Settles a step by what the work answers, or throws; throws itself where everything has to end. */
  readonly attempt: (step: Step, work: () => Promise<Ending>) => Promise<void>;
}

/** Waits until all have settled; the first failure is thrown then. */
export async function all(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}
