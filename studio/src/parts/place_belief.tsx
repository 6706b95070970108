import { useMemo } from 'preact/hooks';
import { count, location } from '../lib/numbers';
import { fitRegion, placeToScreen, squeezeOf } from '../lib/place';
import type { PlaceBelief, Region } from '../lib/types';
import { MAP_SIZE, PlaceCircle, PlaceGround } from './place_ground';

interface PlaceBeliefMapProps {
  belief: PlaceBelief;
  region: Region | undefined;
  label: string;
}

const MARGIN = 6;

/* A belief about a place: its middle, and the circles that hold half of it and nine tenths. */
export function PlaceBeliefMap({ belief, region, label }: PlaceBeliefMapProps) {
  const squeeze = squeezeOf(region);
  const view = useMemo(() => fitRegion(region, MAP_SIZE, MARGIN), [region]);
  const [half, most] = [belief.kilometres_50, belief.kilometres_90].map((far) => count(far, 'kilometre'));
  const middle = placeToScreen(belief, view, MAP_SIZE, squeeze);
  return (
    <figure class="place-belief" role="img" aria-label={`${label}: ${location(belief)}, 50 % within ${half}, 90 % within ${most}`}>
      <div class="time-words">
        <strong>{location(belief)}</strong>{' '}
        <span class="soft">
          50&nbsp;%: within {half}, 90&nbsp;%: within {most}
        </span>
      </div>
      <div class="place-frame">
        <PlaceGround view={view} squeeze={squeeze} region={region}>
          <PlaceCircle class="place-most" middle={belief} kilometres={belief.kilometres_90} view={view} squeeze={squeeze} />
          <PlaceCircle class="place-half" middle={belief} kilometres={belief.kilometres_50} view={view} squeeze={squeeze} />
          <circle class="place-middle" cx={middle.x.toFixed(1)} cy={middle.y.toFixed(1)} r={3} />
        </PlaceGround>
      </div>
    </figure>
  );
}
