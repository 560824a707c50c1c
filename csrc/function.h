// A function that is called while it lives elsewhere: no copy, no memory.
#pragma once

namespace fastconv {

template <class>
class FunctionRef;
template <class Result, class... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <class F>
  FunctionRef(const F& f)
      : function_(&f), call_([](const void* function, Args... args) -> Result {
          return (*static_cast<const F*>(function))(args...);
        }) {}
  Result operator()(Args... args) const { return call_(function_, args...); }

 private:
  const void* function_;
  Result (*call_)(const void*, Args...);
};

}  // namespace fastconv
