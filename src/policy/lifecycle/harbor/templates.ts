/** The templates of Harbor's rules: what their number is, where it is not said, and the most it may be. */
export const templates = {
  latestPushedK: { default: 10, most: 32_766 },
  latestPulledN: { default: 10, most: 32_766 },
  latestActiveK: { default: 10, most: 32_766 },
  lastXDays: { default: 10, most: 20_190_904 },
  nDaysSinceLastPush: { default: 30, most: 20_190_904 },
  nDaysSinceLastPull: { default: 30, most: 20_190_904 },
  always: { default: 0, most: 0 },
} as const;

export type Template = keyof typeof templates;

export const templateNames = Object.keys(templates) as readonly Template[];

/** Rules of one project. */
export const mostRules = 15;
