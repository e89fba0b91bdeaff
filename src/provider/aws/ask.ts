import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import type { Clock } from "../../transport/clock.ts";
import { awsError, isThrottled, type Asked } from "./error.ts";

/** What is handed to a call of the SDK. */
export interface SdkOptions {
  readonly abortSignal?: AbortSignal;
}

/** The place that is asked, and by what clock. */
export interface AwsPlace extends Pick<Asked, "host" | "place" | "region"> {
  readonly clock: Clock;
  /** How often it is asked again while there are too many requests; 5. */
  readonly retries?: number | undefined;
}

export type Question = Pick<Asked, "what" | "action">;

/** The calls of one API at one place. */
export interface AwsCalls {
  readonly ask: <T>(question: Question, work: (options: SdkOptions) => Promise<T>, call?: Call) => Promise<T>;
  readonly pages: <T extends Page>(
    question: Question,
    work: (nextToken: string | undefined, options: SdkOptions) => Promise<T>,
    call?: Call,
  ) => AsyncGenerator<T, void>;
}

interface Page {
  readonly nextToken?: string | undefined;
}

/**
 * Calls of the SDK, again after a random part of a doubling delay where AWS says that there were too many requests: it
 * says so with status 400, which the transport rightly takes for final. Throws RegistryErrors; of pages, also where a
 * token comes again.
 */
export function awsCalls(place: AwsPlace): AwsCalls {
  return {
    ask: (question, work, call) => ask(place, question, work, call),
    pages: (question, work, call) => pages(place, question, work, call),
  };
}

const firstDelay = 500;
/** More pages than any list has. */
const mostPages = 20_000;

async function ask<T>(
  place: AwsPlace,
  question: Question,
  work: (options: SdkOptions) => Promise<T>,
  { signal }: Call = {},
): Promise<T> {
  const { clock, retries = 5 } = place;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(signal ? { abortSignal: signal } : {});
    } catch (error) {
      if (!isThrottled(error) || attempt > retries) throw awsError(error, { ...place, ...question });
      await clock.sleep(Math.round(clock.random() * firstDelay * 2 ** attempt), signal);
    }
  }
}

async function* pages<T extends Page>(
  place: AwsPlace,
  question: Question,
  work: (nextToken: string | undefined, options: SdkOptions) => Promise<T>,
  call?: Call,
): AsyncGenerator<T, void> {
  const visited = new Set<string>();
  let token: string | undefined;
  do {
    if (visited.size >= mostPages) {
      throw new RegistryError("NETWORK", `cannot ${question.what}: AWS leads from page to page without an end`, {
        host: place.host,
      });
    }
    const from = token;
    const page = await ask(place, question, (options) => work(from, options), call);
    yield page;
    token = page.nextToken || undefined;
    if (token !== undefined && visited.has(token)) {
      throw new RegistryError("NETWORK", `cannot ${question.what}: AWS leads from page to page in a circle`, {
        host: place.host,
      });
    }
    if (token !== undefined) visited.add(token);
  } while (token !== undefined);
}
