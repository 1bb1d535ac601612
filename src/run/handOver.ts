/** The reason of a stop by which this process leaves the run to another one: nothing is undone, all goes on there. */
export class HandOver extends Error {
  override readonly name = 'HandOver';
}
