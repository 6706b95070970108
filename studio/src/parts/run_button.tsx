interface RunButtonProps {
  name: string;
  isRunning: boolean;
  onStop: () => void;
  disabled?: boolean;
}

/* Submits its form; while something runs, stops it. It is one button all along: the focus stays on it, and the
 * click that stops does not become one that submits when the name changes under it. Return in a field of the form
 * clicks the button as well, and stops nothing. */
export function RunButton({ name, isRunning, onStop, disabled = false }: RunButtonProps) {
  return (
    <button
      type="submit"
      class="button primary"
      disabled={disabled && !isRunning}
      onClick={(event) => {
        if (!isRunning) return;
        event.preventDefault();
        if (event.detail > 0 || document.activeElement === event.currentTarget) onStop();
      }}
    >
      {isRunning ? 'Stop' : name}
    </button>
  );
}
