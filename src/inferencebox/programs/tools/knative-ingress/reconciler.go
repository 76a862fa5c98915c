package main

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"knative.dev/networking/pkg/apis/networking/v1alpha1"
	"knative.dev/networking/pkg/ingress"
	"knative.dev/networking/pkg/status"
	"knative.dev/pkg/reconciler"
)

const fieldManager = "inferencebox-knative-ingress"

var virtualServices = schema.GroupVersionResource{
	Group: "networking.istio.io", Version: "v1", Resource: "virtualservices",
}

type ingressReconciler struct {
	client dynamic.Interface
	prober *status.Prober
}

// ReconcileKind brings Istio to what one Ingress says, and the Ingress' status to what Istio does.
func (r *ingressReconciler) ReconcileKind(ctx context.Context, ing *v1alpha1.Ingress) reconciler.Event {
	asked := ing.DeepCopy()
	// Whoever starts anew need not probe what was found ready before.
	wasReady := asked.IsReady()
	ing.Status.InitializeConditions()
	probed := ing.DeepCopy()
	if _, err := ingress.InsertProbe(probed); err != nil {
		return err
	}
	route, err := virtualService(probed)
	if err != nil {
		ing.Status.MarkLoadBalancerFailed("Unsupported", err.Error())
		return nil
	}
	// Without force: a VirtualService of this name that is somebody else's stays so, and the error says whose.
	options := metav1.ApplyOptions{FieldManager: fieldManager}
	resource := r.client.Resource(virtualServices).Namespace(ing.Namespace)
	if _, err := resource.Apply(ctx, route.GetName(), route, options); err != nil {
		return fmt.Errorf("applying the VirtualService: %w", err)
	}
	ing.Status.MarkNetworkConfigured()
	if !wasReady {
		// Not before the hash of this very Ingress comes back through the gateway, of which the prober tells.
		answers, err := r.prober.IsReady(ctx, asked)
		if err != nil {
			return fmt.Errorf("probing the gateway: %w", err)
		}
		if !answers {
			ing.Status.MarkLoadBalancerNotReady()
			return nil
		}
	}
	inside := []v1alpha1.LoadBalancerIngressStatus{{DomainInternal: gatewayHost}}
	ing.Status.MarkLoadBalancerReady(inside, inside)
	return nil
}
