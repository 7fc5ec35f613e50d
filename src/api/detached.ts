/** Methods that were taken off their model: `texts.map(classifier.classify)` loses what is before the dot. */
import { EncoderError } from '../errors';

/**
 * @internal The error of a method whose `this` is no model of its class.
 *
 * @param call how the method is called on its own, as `text => classifier.classify(text)`.
 */
export function detachedMethod(self: unknown, className: string, call: string): EncoderError {
  const how =
    typeof self === 'object' && self !== null
      ? `on an object that is no loaded ${className}, such as a Proxy around one; call it on the ${className} itself`
      : `without its ${className}, as in texts.map(model.method); write ${call}`;
  return new EncoderError('method_detached', `a method of ${className} was called ${how}`);
}
