import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ticks } from '../lib/numbers';

export interface Line {
  name: string;
  colour: string;
  values: (number | null)[]; /* null: not known there */
}

export interface Band {
  low: number[];
  high: number[];
}

interface LineChartProps {
  lines: Line[];
  band?: Band;
  low: number;
  high: number;
  label: string;
  say: (value: number) => string; /* of an axis's number */
  position: number;
  onPosition: (position: number) => void;
  sayPosition: (position: number) => string;
  place?: string; /* what a position is */
  marked?: number; /* a position to be seen; -1: none */
}

const HEIGHT = 150;
const LEFT = 52;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 8;

/* Lines along a text, or along time, with a slider below that goes through it step by step. */
export function LineChart(props: LineChartProps) {
  const { lines, band, low, high, label, say, position, onPosition, sayPosition } = props;
  const { place = 'Place in the text', marked = -1 } = props;
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.width > 0) setWidth(entry.contentRect.width);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const count = Math.max(0, ...lines.map((line) => line.values.length));
  const x = (index: number): number => LEFT + (count > 1 ? index / (count - 1) : 0.5) * (width - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - ((value - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const path = (values: (number | null)[]): string => {
    let isDrawing = false;
    return values
      .map((value, index) => {
        if (value === null) {
          isDrawing = false;
          return '';
        }
        const step = `${isDrawing ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
        isDrawing = true;
        return step;
      })
      .join('');
  };
  const point = (event: PointerEvent): void => {
    const box = frame.current?.getBoundingClientRect();
    if (box === undefined || count === 0) return;
    const share = (event.clientX - box.left - LEFT) / (width - LEFT - RIGHT);
    onPosition(Math.min(count - 1, Math.max(0, Math.round(share * (count - 1)))));
  };
  return (
    <div class="line-chart" ref={frame}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={label}
        onPointerDown={point}
        onPointerMove={(event) => {
          if (event.buttons > 0 || event.pointerType === 'mouse') point(event);
        }}
      >
        {ticks(low, high, 3).map((tick) => (
          <g key={tick}>
            <line class="chart-grid" x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text class="chart-tick" x={LEFT - 8} y={y(tick) + 4} text-anchor="end">
              {say(tick)}
            </text>
          </g>
        ))}
        {band && band.low.length > 1 && (
          <path class="chart-band" d={`${path(band.high)}${[...band.low].reverse().map((value, index) => `L${x(band.low.length - 1 - index).toFixed(1)} ${y(value).toFixed(1)}`).join('')}Z`} />
        )}
        {marked >= 0 && <line class="chart-mark" x1={x(marked)} x2={x(marked)} y1={TOP - 6} y2={HEIGHT - BOTTOM} />}
        {lines.map((line) => (
          <path key={line.name} class="chart-line" d={path(line.values)} style={{ stroke: line.colour }} />
        ))}
        {count > 0 && (
          <g aria-hidden="true">
            <line class="chart-here" x1={x(position)} x2={x(position)} y1={TOP - 6} y2={HEIGHT - BOTTOM} />
            {lines.map((line) => {
              const value = line.values[position];
              return value === null || value === undefined ? null : (
                <circle key={line.name} class="chart-dot" cx={x(position)} cy={y(value)} r={4} style={{ fill: line.colour }} />
              );
            })}
          </g>
        )}
      </svg>
      {count > 1 && (
        <div class="chart-slider" style={{ paddingLeft: `${LEFT - 9}px`, paddingRight: `${RIGHT - 9}px` }}>
          <label for={id} class="unseen">
            {place}
          </label>
          <input
            id={id}
            type="range"
            min={0}
            max={count - 1}
            step={1}
            value={position}
            aria-valuetext={sayPosition(position)}
            style={{ '--from': '0%', '--to': '0%' }}
            onInput={(event) => onPosition(Number(event.currentTarget.value))}
          />
        </div>
      )}
    </div>
  );
}
