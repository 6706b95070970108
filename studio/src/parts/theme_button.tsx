import { useState } from 'preact/hooks';
import { currentTheme, setTheme, type Theme } from '../lib/theme';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const NAMES: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

export function ThemeButton() {
  const [theme, show] = useState(currentTheme());
  const name = `Colours: ${NAMES[theme]}. Change to ${NAMES[NEXT[theme]]}`;
  return (
    <button
      type="button"
      class="tool"
      title={name}
      aria-label={name}
      onClick={() => {
        setTheme(NEXT[theme]);
        show(NEXT[theme]);
      }}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {theme === 'dark' ? (
          <path d="M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z" />
        ) : (
          <>
            <circle cx="12" cy="12" r={theme === 'light' ? 4 : 7.5} />
            {theme === 'light' ? (
              <path d="M12 2.500v3M12 18.500v3M2.500 12h3M18.500 12h3M5.300 5.300l2.100 2.100M16.600 16.600l2.100 2.100M5.300 18.700l2.100-2.100M16.600 7.400l2.100-2.100" />
            ) : (
              <path class="filled" d="M12 4.500a7.500 7.500 0 0 1 0 15z" />
            )}
          </>
        )}
      </svg>
    </button>
  );
}
