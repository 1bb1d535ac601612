/** What becomes of a notification in the end. */
export const notificationResults = [
  /** The receiver took it. */
  'delivered',
  /** The receiver said that it will never take this one. */
  'refused',
  /** Newer ones pushed it out of a full queue. */
  'displaced',
  /** The receiver did not take it for too long. */
  'expired',
  /** This process ended before. */
  'abandoned',
] as const;
export type NotificationResult = (typeof notificationResults)[number];
