import { Writable } from 'node:stream';
import { ScreenModel, type Narrowing } from './screenModel.js';

/** A terminal whose screen a test can look at; its driver makes a line feed of `\n` a carriage return too. */
export class FakeTerminal extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly screen: ScreenModel;
  /** Everything that was written. */
  text = '';

  constructor(size: { columns: number; rows: number; narrowing?: Narrowing }) {
    super({ decodeStrings: false });
    this.columns = size.columns;
    this.rows = size.rows;
    this.screen = new ScreenModel(size);
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += String(chunk);
    this.screen.write(String(chunk));
    callback();
  }

  /** The person pulls at the window; the program hears of it. */
  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }

  /** What the person sees, with what has scrolled off. */
  everything(): string[] {
    return [...this.screen.scrolledOff, ...this.screen.lines()];
  }
}
