import type { CopyEvent } from "./graph/copy.ts";
import type { TransportEvent } from "./transport/events.ts";

/** Everything that the library tells while it works. */
export type Event = TransportEvent | CopyEvent;
